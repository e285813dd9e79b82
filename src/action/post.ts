import { writeFile } from 'node:fs/promises';
import { hasLeftovers } from '../apply/recover.ts';
import { SECRET_FILE, settleDirectory } from '../commands/settle.ts';
import { stopOnSignals } from '../host/stop.ts';
import { ActionHost } from './action-host.ts';
import type { Job } from './job.ts';
