#!/usr/bin/env node
import { runCli } from './cli/run.ts';
import { keepHeapSmall } from './memory.ts';

keepHeapSmall();
process.exitCode = await runCli(process.argv.slice(2), process.env, process);
