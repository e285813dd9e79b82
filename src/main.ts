import { setFailed } from '@actions/core';
import { runAction } from './action/run.ts';
import { catchDefects } from './process.ts';
import { redactText } from './render/redact.ts';

catchDefects((message) => setFailed(redactText(message)), process.env);
await runAction(process.env);
