import { readFile, writeFile } from 'node:fs/promises';
import { RefusedError } from '../core/refused.ts';

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
 * @returns the paths of the encrypted files: the same with `.age` behind them, mode 0600
 */
export async function encryptFiles(paths: readonly string[], recipients: readonly string[]): Promise<string[]> {
  const encrypter = await encrypterFor(recipients);
  const encrypted: string[] = [];
  for (const path of paths) {
    await writeFile(`${path}.age`, await encrypter.encrypt(await readFile(path)), { mode: 0o600 });
    encrypted.push(`${path}.age`);
  }
  return encrypted;
}
