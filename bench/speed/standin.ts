// A stand-in in a process of its own, with so many users: prints its address and key.
import { startStandin } from '../../standin/server.ts';
import { members, TEAMS } from './population.ts';

const count = Number(process.argv[2] ?? 0);
const users = members(count).map(({ id, email, role, team }) => ({ userId: id, email, role, teams: [team] }));
const standin = await startStandin({ seed: { teams: TEAMS.map((teamId) => ({ teamId, alias: teamId })), users } });
process.stdout.write(`${JSON.stringify({ baseUrl: standin.baseUrl, masterKey: standin.masterKey })}\n`);
