import { randomUUID } from 'node:crypto';
import { type Call, type Route, textOf } from './context.ts';
import { proxyError } from './refusal.ts';
import { anything, object, required, text } from './validate.ts';

/** What a key is for: which models there are, and a call of one, to see whether the key works. */
export const modelRoutes: readonly Route[] = [
  { method: 'GET', path: '/v1/models', access: 'key', answer: listModels },
  {
    method: 'POST',
    path: '/chat/completions',
    access: 'key',
    body: object({ model: required(text), messages: required(anything) }),
    answer: complete,
  },
];

function listModels({ models }: Call): unknown {
  const data = models.map((id) => ({ id, object: 'model', created: 1677610602, owned_by: 'openai' }));
  return { data, object: 'list' };
}

/** The same answer to whatever is asked. */
function complete({ models, body }: Call): unknown {
  const model = textOf(body, 'model') ?? '';
  if (!models.includes(model)) {
    const message = `/chat/completions: Invalid model name passed in model=${model}. Call \`/v1/models\` to view available models for your key.`;
    throw proxyError(400, `{'error': '${message}'}`, 'invalid_request_error', null);
  }
  const message = { content: 'hello from the stand-in', role: 'assistant' };
  return {
    id: `chatcmpl-${randomUUID()}`,
    created: Math.floor(Date.now() / 1000),
    model,
    object: 'chat.completion',
    choices: [{ finish_reason: 'stop', index: 0, message }],
    usage: { completion_tokens: 20, prompt_tokens: 10, total_tokens: 30 },
  };
}
