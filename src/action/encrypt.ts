import { access, readFile, rename, writeFile } from 'node:fs/promises';
import { extname } from 'node:path';
import { RefusedError } from '../core/errors.ts';

/**
 * An encrypter for age recipients (`age1…`); the library is loaded only when there are any.
 * @throws RefusedError naming the recipient that is none
 */
async function encrypterFor(recipients: readonly string[]) {
  const { Encrypter } = await import('age-encryption');
  const encrypter = new Encrypter();
  for (const recipient of recipients) {
    try {
      encrypter.addRecipient(recipient);
    } catch (error) {
      const shown = `Input \`encrypt-to\`: \`${recipient}\` is not an age recipient; allowed: public keys such as \`age1…\`, one a line.`;
      throw new RefusedError(`${shown} Nothing was written.`, { cause: error });
    }
  }
  return encrypter;
}

/**
 * Makes sure that all recipients can be encrypted to.
 * @throws RefusedError
 */
export async function assertRecipients(recipients: readonly string[]): Promise<void> {
  if (recipients.length > 0) await encrypterFor(recipients);
}

/**
 * Encrypts files to age recipients.
 * @returns the paths of the encrypted files: the same with `.age` behind them, mode 0600; older ones, which others may
 * have the key to, are kept under another name
 */
export async function encryptFiles(paths: readonly string[], recipients: readonly string[]): Promise<string[]> {
  const encrypter = await encrypterFor(recipients);
  const encrypted: string[] = [];
  for (const path of paths) {
    await moveAway(path);
    await writeFile(`${path}.age`, await encrypter.encrypt(await readFile(path)), { mode: 0o600, flag: 'wx' });
    encrypted.push(`${path}.age`);
  }
  return encrypted;
}

/** Renames `links.csv.age` to the first free of `links-1.csv.age`, `links-2.csv.age`… */
async function moveAway(path: string): Promise<void> {
  if (!(await exists(`${path}.age`))) return;
  const extension = extname(path);
  const stem = path.slice(0, path.length - extension.length);
  let number = 1;
  while (await exists(`${stem}-${number}${extension}.age`)) number += 1;
  await rename(`${path}.age`, `${stem}-${number}${extension}.age`);
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
