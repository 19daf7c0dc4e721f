import type { WorkerRecord } from '@tutti/coordination/logs'
import type { PGlite } from '@electric-sql/pglite'

/** The tables: what is written, and the records whose effect it contains. */
export const TABLES = `
CREATE TABLE balances (account text PRIMARY KEY, cents bigint NOT NULL);
CREATE TABLE applied (channel text, "offset" bigint, PRIMARY KEY (channel, "offset"));
`

const APPLY = `
WITH given AS (SELECT * FROM unnest($1::text[], $2::bigint[], $3::text[], $4::bigint[]) AS g (channel, "offset", account, cents)),
     fresh AS (INSERT INTO applied SELECT channel, "offset" FROM given ON CONFLICT DO NOTHING RETURNING channel, "offset")
INSERT INTO balances
SELECT account, sum(cents) FROM given JOIN fresh USING (channel, "offset") GROUP BY account
ON CONFLICT (account) DO UPDATE SET cents = balances.cents + excluded.cents
`

/**
 * Adds the transfers of records to the balances, each once: the offset of a record is stored in the same transaction, and a record
 * whose offset is there already changes nothing. Offsets are unique within a channel, also after the log has lost its data.
 */
export async function writeTransfers(database: PGlite, records: readonly WorkerRecord[]): Promise<void> {
  const transfers = records.map(({ channel, offset, data }) => ({ channel, offset, ...parseTransfer(data) }))
  const column = <Name extends 'channel' | 'offset' | 'account' | 'cents'>(name: Name) => transfers.map((transfer) => transfer[name])
  await database.query(APPLY, [column('channel'), column('offset'), column('account'), column('cents')])
}

function parseTransfer(data: unknown): { account: string; cents: number } {
  if (typeof data === 'object' && data !== null && 'account' in data && 'cents' in data) {
    const { account, cents } = data
    if (typeof account === 'string' && typeof cents === 'number') return { account, cents }
  }
  throw new TypeError('No transfer.')
}
