/** The version of this tool, the same as in `package.json`. */
export const VERSION = '1.0.0';

export const USER_AGENT = `litellm-user-sync/${VERSION}`;

/** The oldest Node that this tool runs on, the same as `engines` in `package.json`. */
export const OLDEST_NODE = 22;
