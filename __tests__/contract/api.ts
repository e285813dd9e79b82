// biome-ignore-all lint/suspicious/noExplicitAny: answers are looked at as they come, that is what is tested
export interface Answer {
  readonly status: number;
  /** Media type without parameters; empty where the answer has none. */
  readonly type: string;
  /** Parsed JSON, else the text. */
  readonly body: any;
  readonly headers: Headers;
}

/** Plain HTTP calls of one key. `null`: none. */
export class Api {
  readonly baseUrl: string;
  readonly key: string | null;

  constructor(baseUrl: string, key: string | null) {
    this.baseUrl = baseUrl;
    this.key = key;
  }

  /** Once more where the proxy closes a kept connection just as the request is sent. */
  get(path: string): Promise<Answer> {
    return this.request('GET', path).catch(() => this.request('GET', path));
  }

  post(path: string, body: unknown): Promise<Answer> {
    return this.request('POST', path, JSON.stringify(body));
  }

  /** The body of a POST that must succeed. */
  async ok(path: string, body: unknown): Promise<any> {
    const answer = await this.post(path, body);
    if (answer.status !== 200) throw new Error(`${path} answered ${answer.status}: ${JSON.stringify(answer.body)}`);
    return answer.body;
  }

  async request(method: string, path: string, text?: string): Promise<Answer> {
    const response = await fetch(`${this.baseUrl}${path}`, {
      method,
      redirect: 'manual',
      signal: AbortSignal.timeout(120_000),
      headers: {
        'content-type': 'application/json',
        ...(this.key === null ? {} : { authorization: `Bearer ${this.key}` }),
      },
      ...(text === undefined ? {} : { body: text }),
    });
    const type = (response.headers.get('content-type') ?? '').split(';')[0] ?? '';
    return { status: response.status, type, body: parsed(await response.text()), headers: response.headers };
  }

  /** The same proxy with another key. */
  as(key: string | null): Api {
    return new Api(this.baseUrl, key);
  }

  async user(userId: string): Promise<any> {
    const { body } = await this.get(`/user/list?user_ids=${userId},-`);
    return body.users[0];
  }

  async teamsOf(userId: string): Promise<string[]> {
    return (await this.user(userId)).teams;
  }

  /** User ids of a team's roster, but for the one that creates teams. */
  async rosterOf(teamId: string): Promise<string[]> {
    const { body } = await this.get(`/team/info?team_id=${teamId}`);
    const ids = body.team_info.members_with_roles.map((member: { user_id: string }) => member.user_id);
    return ids.filter((id: string) => id !== 'default_user_id');
  }

  /** Aliases of a user's keys, sorted. */
  async keyAliasesOf(userId: string): Promise<string[]> {
    const { body } = await this.get(`/key/list?return_full_object=true&size=100&user_id=${userId}`);
    return body.keys.map((key: { key_alias: string }) => key.key_alias).sort();
  }

  async makeTeam(teamId: string): Promise<void> {
    await this.ok('/team/new', { team_id: teamId, team_alias: teamId });
  }

  /** A user `<id>@example.com` without a key. */
  async makeUser(userId: string, rest: object = {}): Promise<void> {
    await this.ok('/user/new', {
      user_id: userId,
      user_email: `${userId}@example.com`,
      auto_create_key: false,
      ...rest,
    });
  }

  /** A user of this role, or of none; the user's key. */
  async makeKeyOf(role: string | null): Promise<string> {
    const userId = role ?? 'nobody';
    await this.makeUser(userId, role === null ? {} : { user_role: role });
    return (await this.ok('/key/generate', { user_id: userId })).key;
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
