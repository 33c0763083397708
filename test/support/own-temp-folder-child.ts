import { useOwnTempFolder } from './own-temp-folder.ts'
import { startJeton } from './service/jeton.ts'

// stands in for a run of the tests, the soak or a benchmark: it says what it has started, and stays until a signal ends it
await useOwnTempFolder()
const jeton = await startJeton({
  config: {
    issuers: { ci: { issuer: 'https://ci.example', audience: 'jeton', tenancy: 'private' } },
    databases: {},
    grants: [],
    audit: [{ type: 'file', path: 'audit.jsonl' }],
  },
  env: {},
})
const { TMPDIR: temp = '' } = process.env
process.stdout.write(`${JSON.stringify({ temp, folder: jeton.folder, pid: jeton.process.pid })}\n`)
setInterval(() => {}, 1000)
