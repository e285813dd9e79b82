import type { Visibility } from './event.ts';

/** Whether emails are masked in everything that readers of the repository can see. `auto`: unless it is private. */
export function redactEmails(setting: 'auto' | 'true' | 'false', visibility: Visibility): boolean {
  return setting === 'auto' ? visibility !== 'private' : setting === 'true';
}

/**
 * Why secrets may not be uploaded from this repository, or `null` where they may: whoever may read the repository may
 * download its artifacts, so outside of a private one they must be encrypted.
 */
export function secretUploadRefusal(visibility: Visibility, encrypted: boolean): string | null {
  if (encrypted || visibility === 'private') return null;
  const readers = {
    public: 'This repository is public: everybody',
    internal: 'This repository is internal: everybody in the enterprise',
    unknown: 'It is not known who may read this repository: anybody',
  }[visibility];
  return (
    `${readers} could download API keys and onboarding links from the artifact. ` +
    "Set 'encrypt-to' to the age recipients who may read them, or 'api-keys: false' and 'invitations: false', " +
    "or 'artifacts: false', or mail the links ('deliver: smtp') with 'api-keys: false'."
  );
}
