/** Everything that goes into a comment or a job summary. */
export { documentMarkdown } from './document-markdown.ts';
export { type PlanMarkdownOptions, planMarkdown } from './plan-markdown.ts';
export { failureMarkdown, problemsMarkdown } from './problems-markdown.ts';
export { resultMarkdown } from './result-markdown.ts';
export { rowPlanMarkdown } from './rows-markdown.ts';
