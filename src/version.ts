/** The version of this tool, the same as in `package.json`. */
export const VERSION = '1.0.0';

export const USER_AGENT = `litellm-user-sync/${VERSION}`;
