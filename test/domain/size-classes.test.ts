import { expect, it } from 'vitest';
import { isTrainQueue, sizeClass, sizesServed, trainQueue } from '../../src/domain/devices/size-classes.js';

it.each([
  [1, 1],
  [2, 2],
  [3, 4],
  [4, 4],
  [5, 8],
  [8, 8],
  [9, 16],
])('%d slots are of class %d', (slots, size) => {
  expect(sizeClass(slots)).toBe(size);
});

it.each([
  [1, [1]],
  [2, [1, 2]],
  [3, [1, 2, 4]],
  [6, [1, 2, 4, 8]],
  [8, [1, 2, 4, 8]],
])('a host of %d slots serves the classes %j', (capacity, sizes) => {
  expect(sizesServed(capacity)).toEqual(sizes);
  // and so every request that it has slots for, and none of which it has too few for each
  expect(sizes).toContain(sizeClass(capacity));
});

it.each([
  [trainQueue('gpu', null), true],
  [trainQueue('gpu', 8), true],
  [trainQueue('gpu-x', 8), false],
  ['assay-train-gpu-xl', false],
  ['assay-eval-gpu', false],
])('%s is a queue of trainings of pool gpu: %s', (queue, is) => {
  expect(isTrainQueue(queue, 'gpu')).toBe(is);
});
