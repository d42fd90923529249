import type { Measure } from './task.js';

/** A metric's name, with the mark of one that the recipe reports of itself. */
export const markedName = ({ name, recipeReported }: Pick<Measure, 'name' | 'recipeReported'>): string =>
  recipeReported === true ? `${name} (reported by the recipe)` : name;
