/** Counts and prints what was found to be so. A failed check does not stop its scenario. */
export class Checks {
  passed = 0;
  failed = 0;
  #scenario = '';

  begin(scenario: string): void {
    this.#scenario = scenario;
    console.log(`\n# ${scenario}`);
  }

  /** @param detail what was there instead, shown on failure */
  that(name: string, isSo: boolean, detail: unknown = ''): void {
    if (isSo) this.passed += 1;
    else this.failed += 1;
    console.log(`${isSo ? 'ok  ' : 'FAIL'} ${this.#scenario}: ${name}`);
    if (!isSo && detail !== '')
      console.log(indent(typeof detail === 'string' ? detail : JSON.stringify(detail, null, 2)));
  }

  equal(name: string, found: unknown, wanted: unknown): void {
    const isSo = JSON.stringify(found) === JSON.stringify(wanted);
    this.that(name, isSo, `found  ${JSON.stringify(found)}\nwanted ${JSON.stringify(wanted)}`);
  }

  /** Each of these texts is in there. */
  contains(name: string, text: string, ...wanted: readonly string[]): void {
    const missing = wanted.filter((part) => !text.includes(part));
    this.that(name, missing.length === 0, `missing: ${missing.join(' | ')}\nin: ${text.slice(-3000)}`);
  }

  /** None of these secrets is in any of these texts; says which and where without repeating them. */
  clean(name: string, texts: Readonly<Record<string, string>>, secrets: readonly string[]): void {
    const found = Object.entries(texts).flatMap(([where, text]) =>
      secrets.flatMap((secret, index) => (text.includes(secret) ? [`secret ${index} is in ${where}`] : [])),
    );
    const searched = secrets.length > 0 && Object.values(texts).every((text) => text !== '');
    this.that(name, searched && found.length === 0, searched ? found.join('\n') : 'nothing was searched');
  }
}

function indent(text: string): string {
  return text.replace(/^/gm, '     ');
}
