import type { Lab } from '../project.ts';
import { approval } from './approval.ts';
import { badFile } from './bad-file.ts';
import { byHand } from './by-hand.ts';
import { demoted } from './demoted.ts';
import { drift, schedule } from './drift.ts';
import { exported } from './export.ts';
import { firstHour } from './first-hour.ts';
import { life } from './life.ts';
import { mail, mailPublic } from './mail.ts';
import { mainJob } from './main-job.ts';
import { massDelete } from './mass-delete.ts';
import { merges } from './merges.ts';
import { noArtifacts } from './no-artifacts.ts';
import { encrypted, placeholderRecipient, publicRepository } from './public-repository.ts';
import { severalPulls, superseded } from './several-pulls.ts';
import { fork, pullRequestTarget } from './strangers.ts';
import { targets } from './targets.ts';

export type Scenario = (lab: Lab) => Promise<void>;

/** In the order in which they are run; each on a proxy that was emptied first. */
export const SCENARIOS: Readonly<Record<string, Scenario>> = {
  'first-hour': firstHour,
  'main-job': mainJob,
  life,
  mail,
  'mail-public': mailPublic,
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
  'several-pulls': severalPulls,
  superseded,
  targets,
  'no-artifacts': noArtifacts,
  export: exported,
  'by-hand': byHand,
};

/** Those that wait a lot, or are about the forge alone: beside the others, each with a stand-in of its own for the proxy. */
export const WAITING: typeof SCENARIOS = { schedule, merges };
