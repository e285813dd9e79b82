import { runAction } from './action/run.ts';
import { keepHeapSmall } from './memory.ts';

keepHeapSmall();
await runAction(process.env);
