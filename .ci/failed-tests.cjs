// Prints the failed tests of a report of vitest, and the files that could not be run, one a line with the start of why.
const { readFileSync } = require('node:fs');
const { relative } = require('node:path');

const print = (name, why) =>
  console.log(`failed: ${name}: ${String(why).replace(/\s+/g, ' ').slice(0, 400)}`);
for (const { name, status, message, assertionResults } of JSON.parse(readFileSync(process.argv[2], 'utf8'))
  .testResults) {
  const file = relative('.', name);
  const failed = assertionResults.filter((test) => test.status === 'failed');
  for (const test of failed) print(`${file} > ${test.fullName}`, test.failureMessages[0]);
  if (status === 'failed' && failed.length === 0) print(file, message);
}
