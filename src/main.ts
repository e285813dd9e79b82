import { setFailed } from '@actions/core';
import { runAction } from './action/run.ts';
import { catchDefects } from './defect.ts';
import { redactText } from './render/redact.ts';

catchDefects((message) => setFailed(redactText(message)), process.env);
await runAction(process.env);
