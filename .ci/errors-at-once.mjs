// A reporter of Vitest that prints errors when their file ends. Vitest's own ones print them when all have ended: of a run
// that is stopped by its time limit, nothing would be known.
export default class ErrorsAtOnce {
  onTestModuleEnd(module) {
    tell(module.relativeModuleId, module.errors());
    for (const suite of module.children.allSuites()) tell(suite.fullName, suite.errors());
    for (const test of module.children.allTests('failed')) tell(test.fullName, test.result().errors);
  }
}

function tell(name, errors) {
  for (const error of errors) {
    const cause = error.cause ? `\nCause: ${error.cause.stack ?? error.cause.message}` : '';
    console.error(`Error: ${name}\n${error.stack ?? error.message}${cause}`);
  }
}
