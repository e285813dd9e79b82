import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';

/** Compares with `__tests__/golden/<name>`. How to write it anew, for review: CONTRIBUTING.md. */
export async function expectGolden(name: string, text: string): Promise<void> {
  await expect(text).toMatchFileSnapshot(fileURLToPath(new URL(`../golden/${name}`, import.meta.url)));
}
