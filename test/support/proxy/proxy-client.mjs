/** Logs in with postgres.js; prepares; listens; copies; cancels a query once another connection sees it. Its folder has the driver. */
import { createRequire } from 'node:module'
import { pipeline } from 'node:stream/promises'
import { pathToFileURL } from 'node:url'

const require = createRequire(`${process.cwd()}/`)
const { default: postgres } = await import(pathToFileURL(require.resolve('postgres')).href)
const sql = postgres({ max: 2 })
const [{ user }] = await sql`select current_user as user`
console.log(user)

const numbers = Array.from({ length: 10 }, (_, i) => i)
const rows = await Promise.all(numbers.map(i => sql`select ${i}::int + 1 as sum`))
console.log(rows.reduce((sum, [row]) => sum + row.sum, 0))

const heard = new Promise(resolve => sql.listen('drivers', resolve, () => sql.notify('drivers', 'heard')))
console.log(await heard)

await sql.begin(async own => {
  await own`create temporary table copied (number int)`
  const writable = await own`copy copied from stdin`.writable()
  await pipeline(
    numbers.map(i => `${i}\n`),
    writable,
  )
  const [{ count }] = await own`select count(*)::int from copied`
  console.log(count)
})

const sleeping = sql`select 'postgres.js', pg_sleep(60)`.execute()
const seen = () =>
  sql`select 1 from pg_stat_activity where query ~ '^select .postgres.js' and wait_event = 'PgSleep'`
while ((await seen()).length === 0) await new Promise(resolve => setTimeout(resolve, 10))
sleeping.cancel()
console.log(await sleeping.catch(({ code }) => code))
await sql.end()
