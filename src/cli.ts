#!/usr/bin/env node
// An old Node is told before anything else is loaded.
import './cli/old-node.ts';
import { runCli } from './cli/run.ts';
import { catchDefects } from './process.ts';

catchDefects((message) => process.stderr.write(`${message}\n`), process.env);
process.exitCode = await runCli(process.argv.slice(2), process.env, process);
