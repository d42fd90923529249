// Fits a polynomial to points by stochastic gradient descent. Agents may change everything in this file.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define DEGREE 3 // knob: 1..9
static const double RATE = 0.1; // knob: 0.01..1.0 log
static const int STEPS = 3000; // knob: 500..20000 log

#define MOST_POINTS 10000

static uint64_t state;

/* splitmix64 */
static uint64_t next_random(void) {
  uint64_t mixed = (state += 0x9e3779b97f4a7c15ULL);
  mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9ULL;
  mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebULL;
  return mixed ^ (mixed >> 31);
}

static FILE *open_in(const char *folder, const char *name, const char *mode) {
  char path[4096];
  snprintf(path, sizeof path, "%s/%s", getenv(folder), name);
  FILE *file = fopen(path, mode);
  if (file == NULL) {
    perror(path);
    exit(1);
  }
  return file;
}

int main(void) {
  static double points[MOST_POINTS][2];
  double weights[DEGREE + 1] = {0};
  int count = 0;
  state = strtoull(getenv("ASSAY_SEED"), NULL, 10);
  FILE *data = open_in("ASSAY_DATA", "points.csv", "r");
  while (count < MOST_POINTS && fscanf(data, "%lf,%lf", &points[count][0], &points[count][1]) == 2) count++;
  fclose(data);
  for (int step = 0; step < STEPS; step++) {
    const double *point = points[next_random() % count];
    double powers[DEGREE + 1], error = -point[1], power = 1;
    for (int k = 0; k <= DEGREE; k++, power *= point[0]) {
      powers[k] = power;
      error += weights[k] * power;
    }
    double rate = RATE * (1 - (double)step / STEPS);
    for (int k = 0; k <= DEGREE; k++) weights[k] -= rate * error * powers[k];
  }
  FILE *out = open_in("ASSAY_OUTPUT", "weights.json", "w");
  fprintf(out, "{\"weights\": [");
  for (int k = 0; k <= DEGREE; k++) fprintf(out, "%s%.9g", k == 0 ? "" : ", ", weights[k]);
  fprintf(out, "]}\n");
  fclose(out);
  printf("trained %d steps on %d points\n", STEPS, count);
  return 0;
}
