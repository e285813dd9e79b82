import type { ZodError, ZodType } from 'zod';
import { htmlError, isHtml, lostReason } from './error-text.ts';
import { LostWriteError, type ProxyError, UnexpectedShapeError } from './errors.ts';
import type { Answer } from './transport.ts';

/**
 * The body of a successful answer as `schema` reads it.
 * @throws LostWriteError where it is the unreadable answer of a write: that may well have taken effect.
 */
export function parsed<T>(answer: Answer, schema: ZodType<T>, route: string, write: boolean): T {
  const fail = (error: ProxyError): Error =>
    write ? new LostWriteError(lostReason(route, error.message), route, answer.status) : error;
  const wayOut = write ? '' : ". Is base-url the address of LiteLLM's API?";
  const unexpected = (what: string) => new UnexpectedShapeError(`${route}: ${what}${wayOut}`, route, answer.status);
  let body: unknown;
  try {
    body = JSON.parse(answer.text);
  } catch {
    if (isHtml(answer.text)) throw fail(htmlError(route, answer.status));
    throw fail(unexpected('the answer is not JSON'));
  }
  const result = schema.safeParse(body);
  if (result.success) return result.data;
  throw fail(unexpected(`unexpected answer, ${firstIssue(result.error)}`));
}

function firstIssue(error: ZodError): string {
  const issue = error.issues[0];
  const field = issue?.path.map(String).join('.') || 'the answer';
  return `${field}: ${issue?.message.replace(/^Invalid input: /, '') ?? 'of another shape'}`;
}
