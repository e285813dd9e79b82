import { expect, test } from 'vitest';
import { wrapped } from './statements.ts';
import { contract } from './suite.ts';

const ALL = {
  max_budget: 33.333333,
  budget_duration: '7d',
  tpm_limit: 3_000_000_000,
  rpm_limit: 7,
  models: ['fake-model'],
  metadata: { a: { b: 1 }, password: 'x' },
};
const BANANA = "Invalid budget_duration 'banana'. Use a format like '1h', '24h', '7d', or '30d'.";

contract('limits', (api, _target, is) => {
  /** Sends an update of user a; the user afterwards. */
  async function updated(fields: object) {
    await api().ok('/user/update', { user_id: 'a', ...fields });
    return api().user('a');
  }

  test('are stored and listed; an alias is by the newer ones', async () => {
    await api().makeUser('a');
    const user = await updated({ ...ALL, user_alias: 'al' });
    expect(user).toMatchObject({ ...ALL, user_alias: is.aliasByUpdate ? 'al' : null });
    expect(Date.parse(user.budget_reset_at)).toBeGreaterThan(Date.now());
  });

  test('what is not sent is kept, empty lists and objects count as not sent, numbers may be texts', async () => {
    await api().makeUser('a', ALL);
    expect(await updated({ models: [], metadata: {}, shoe_size: 43 })).toMatchObject(ALL);
    expect(await updated({ tpm_limit: '5' })).toMatchObject({ ...ALL, tpm_limit: 5 });
    expect(await updated({ metadata: { c: 2 } })).toMatchObject({ rpm_limit: 7, metadata: { c: 2 } });
  });

  test(`null clears ${is.othersCleared ? 'all of them' : is.budgetCleared ? 'the budget' : 'nothing'}, never models and metadata`, async () => {
    await api().makeUser('a', ALL);
    const { models, metadata, max_budget, ...others } = ALL;
    const none = { budget_duration: null, tpm_limit: null, rpm_limit: null };
    const user = await updated({ max_budget: null, ...none, models: null, metadata: null });
    expect(user).toMatchObject({
      models,
      metadata,
      max_budget: is.budgetCleared ? null : max_budget,
      ...(is.othersCleared ? { ...none, budget_reset_at: null } : others),
    });
  });

  test.each(['1h', '24h', '7d', '2w', '1mo', '30d', '60d'])('a period of %s', async (period) => {
    await api().makeUser('a');
    expect(await updated({ budget_duration: period })).toMatchObject({ budget_duration: period });
  });

  test.each(['banana', '7', '', '1M', '0d', '7 days'])(
    `a period of %j is ${is.periodsChecked ? 'refused' : 'stored'}`,
    async (period) => {
      await api().makeUser('a');
      const answer = await api().post('/user/update', { user_id: 'a', budget_duration: period });
      expect(answer.status).toBe(is.periodsChecked ? 400 : 200);
      expect(await api().user('a')).toMatchObject({ budget_duration: is.periodsChecked ? null : period });
    },
  );

  test('periods that cannot be: what is said', async () => {
    await api().makeUser('a');
    const months = 'Monthly resets currently only support 1 month intervals';
    const { error } = (await api().post('/user/update', { user_id: 'a', budget_duration: '2mo' })).body;
    expect(error).toMatchObject({ type: is.authType, param: is.otherParam, code: '400' });
    expect(error.message).toContain(is.periodsChecked ? "Invalid budget_duration '2mo'" : months);
    const bulk = {
      users: [
        { user_id: 'a', budget_duration: '2mo' },
        { user_id: 'a', max_budget: 5 },
      ],
    };
    const { results } = await api().ok('/user/bulk_update', bulk);
    const refused = is.periodsChecked ? /^400: \{'error': "Invalid budget_duration '2mo'/ : months;
    expect(results).toMatchObject([
      { user_id: 'a', success: false, error: expect.stringMatching(refused), updated_user: null },
      { user_id: 'a', success: true, error: null, updated_user: { user_id: 'a', data: { max_budget: 5 } } },
    ]);
  });

  test('negative ones are stored, rates no longer', async () => {
    await api().makeUser('a');
    expect(await updated({ max_budget: -1 })).toMatchObject({ max_budget: -1 });
    const answer = await api().post('/user/update', { user_id: 'a', tpm_limit: -1 });
    expect(answer.status).toBe(is.negativeRateRefused ? 422 : 200);
  });

  test('at creation they go to the user and, but for the budget, to the key made along', async () => {
    const rest = { user_alias: 'al', key_alias: 'k', duration: '30d' };
    await api().ok('/user/new', { user_id: 'a', ...ALL, ...rest });
    expect(await api().user('a')).toMatchObject({ ...ALL, user_alias: 'al' });
    await api().ok('/key/generate', { user_id: 'a', key_alias: 'later' });
    const { keys } = (await api().get('/key/list?return_full_object=true&user_id=a')).body;
    expect(keys).toMatchObject([
      { key_alias: 'later', tpm_limit: null, rpm_limit: null, models: [], expires: null },
      { key_alias: 'k', ...ALL, max_budget: null, budget_duration: null },
    ]);
    expect(Date.parse(keys[1].expires)).toBeGreaterThan(Date.now());
  });

  test('a bad period or lifetime at creation: no user, or one with the period as it was sent', async () => {
    const period = await api().post('/user/new', { user_id: 'a', budget_duration: 'banana' });
    if (is.periodsChecked) expect(period).toMatchObject({ status: 400, body: { error: wrapped(is, 400, BANANA) } });
    expect((await api().user('a'))?.budget_duration).toBe(is.periodsChecked ? undefined : 'banana');
    const lifetime = await api().post('/user/new', { user_id: 'b', duration: 'banana' });
    const message = `${is.serverErrorPrefix}Invalid duration format`;
    expect(lifetime).toMatchObject({ status: 500, body: { error: { message, code: '500' } } });
    expect(await api().user('b')).toBeUndefined();
  });
});
