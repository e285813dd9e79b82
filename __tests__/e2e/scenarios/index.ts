import type { Lab } from '../project.ts';
import { approval } from './approval.ts';
import { badFile } from './bad-file.ts';
import { demoted } from './demoted.ts';
import { drift, schedule } from './drift.ts';
import { mainJob } from './main-job.ts';
import { massDelete } from './mass-delete.ts';
import { encrypted, placeholderRecipient, publicRepository } from './public-repository.ts';
import { severalPulls, superseded } from './several-pulls.ts';
import { fork, pullRequestTarget } from './strangers.ts';
import { targets } from './targets.ts';

/** In the order in which they are run; each on a proxy that was emptied first. */
export const SCENARIOS: Readonly<Record<string, (lab: Lab) => Promise<void>>> = {
  'main-job': mainJob,
  'bad-file': badFile,
  'mass-delete': massDelete,
  approval,
  demoted,
  'public-repository': publicRepository,
  encrypted,
  'placeholder-recipient': placeholderRecipient,
  fork,
  'pull-request-target': pullRequestTarget,
  drift,
  schedule,
  'several-pulls': severalPulls,
  superseded,
  targets,
};
