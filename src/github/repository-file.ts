import { access, realpath } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';

/**
 * Where a file stands in its git checkout, with `/`: the path that the forge knows it by. `null`: outside of one.
 * Looked for upwards, because `actions/checkout` may have put the repository into a folder of the workspace.
 */
export async function pathInCheckout(file: string): Promise<string | null> {
  const real = await realpath(file);
  for (let folder = dirname(real); ; folder = dirname(folder)) {
    if (await exists(join(folder, '.git'))) return relative(folder, real).split(sep).join('/');
    if (folder === dirname(folder)) return null;
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
