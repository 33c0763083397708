import { shellWord } from '../../lib/shell-words.ts'
import { CI } from '../built-in-config.ts'
import type { StepParts } from './steps.ts'

/** Says what can be tried while the server runs, in another terminal. */
export async function showCommands({ environment, server, say }: StepParts, cli: string): Promise<void> {
  const { issuers, folder, postgres, configFile, auditFile } = environment
  const jwtFile = await folder.put('jwt', await issuers.sign(CI))
  const json = "-H 'Content-Type: application/json'"
  say()
  say('The server keeps running. Try in another terminal:')
  say(`  alias jeton=${shellWord(`node ${shellWord(cli)}`)}`)
  say(`  export JETON_URL=${server.url} JETON_JWT_FILE=${shellWord(jwtFile)}`)
  say(
    `  curl -s -H "Authorization: Bearer $(cat "$JETON_JWT_FILE")" ${json} -d '{"database":"orders"}' $JETON_URL/v1/tokens`,
  )
  say('  jeton token orders -o json')
  if ('port' in postgres) say(`  jeton exec orders --ca ${shellWord(postgres.caFile)} -- psql`)
  say(
    `  echo '{"sub":"me","repository":"acme/orders"}' | jeton explain --config ${shellWord(configFile)} --issuer ci --claims -`,
  )
  say(`  curl -s $JETON_URL/readyz; tail -f ${shellWord(auditFile)}`)
  say('Ctrl-C ends everything and removes all files.')
}
