import { type Mistake, SOUND } from './mistake.ts'

const utf16 = (text: string) => Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(text, 'utf16le')])
const JSON_TEXT = '{\n  "databases": {},\n  "grants": []\n}\n'

/** What is no YAML, or another YAML than was meant. */
export const YAML_MISTAKES: readonly Mistake[] = [
  {
    title: 'a key is indented more than the others',
    change: [['    audience: jeton\n  cluster', '      audience: jeton\n  cluster']],
  },
  {
    title: 'a key is indented less than the others',
    change: [['    audience: jeton\n  cluster', '   audience: jeton\n  cluster']],
  },
  {
    title: 'a key of a list item is indented less than the others',
    change: [['    database: orders\n    users: [migrator]', '   database: orders\n    users: [migrator]']],
  },
  { title: 'a tab is in the indentation', change: [['    engine: postgres', '\tengine: postgres']] },
  {
    title: 'a no-break space is in the indentation',
    change: [['    engine: postgres', '\u00a0   engine: postgres']],
  },
  { title: 'a comment begins with //', change: [['grants:\n', '// who may\ngrants:\n']] },
  { title: 'a comment in JSON', text: '{\n  "databases": {}, // none\n  "grants": []\n}\n' },
  { title: 'a double quote is not closed', change: [['engine: postgres', 'engine: "postgres']] },
  {
    title: 'a double quote is not closed, and another follows',
    change: [['users: [app_ro, app_rw, migrator]', 'users: ["app_ro, app_rw, migrator]']],
  },
  { title: 'a single quote is not closed', change: [['audience: jeton', "audience: 'jeton"]] },
  {
    title: 'an apostrophe stands within single quotes',
    change: [['audience: jeton', "audience: 'jeton's'"]],
  },
  {
    title: 'a backslash stands in double quotes',
    change: [['jwksFile: cluster-jwks.json', 'jwksFile: "C:\\keys\\cluster.json"']],
  },
  { title: 'a colon is missing after a key', change: [['engine: postgres', 'engine postgres']] },
  { title: 'a colon is missing after the key of a section', change: [['databases:\n', 'databases\n']] },
  { title: 'no space follows a colon', change: [['engine: postgres', 'engine:postgres']] },
  { title: 'a value has a second colon', change: [['externalId: tell-nobody', 'dbname: orders: main']] },
  { title: 'a key is there twice', change: [['    port: 5432\n', '    port: 5432\n    engine: mysql\n']] },
  { title: 'a section is there twice', change: [['store:\n', 'issuers: {}\n\nstore:\n']] },
  { title: 'a bracket is not closed', change: [['[app_ro, app_rw, migrator]', '[app_ro, app_rw, migrator']] },
  {
    title: 'a brace is not closed',
    change: [['{ issuer: apiKey, subject: nightly-report }', '{ issuer: apiKey, subject: nightly-report']],
  },
  {
    title: 'a bracket closes a brace',
    change: [['limits: { newTokensPerSecond: 8 }', 'limits: { newTokensPerSecond: 8 ]']],
  },
  {
    title: 'a bracket closes nothing',
    change: [['[app_ro, app_rw, migrator]', '[app_ro, app_rw, migrator]]']],
  },
  {
    title: 'a comma is missing between braces',
    change: [['{ cert: server.pem, key: server-key.pem }', '{ cert: server.pem key: server-key.pem }']],
  },
  {
    title: 'a list item is indented less than its list',
    change: [['  - name: orders-report', ' - name: orders-report']],
  },
  {
    title: 'a list item is indented more than its list',
    change: [['  - name: orders-report', '    - name: orders-report']],
  },
  {
    title: 'a list is not indented below its key',
    change: [['      - billing_ro\n      - billing_rw\n', '- billing_ro\n- billing_rw\n']],
  },
  {
    title: 'the dash of a list is missing',
    change: [
      ['  - name: orders-deploy\n', '    name: orders-deploy\n'],
      ['  - name: orders-report', '    name: orders-report'],
    ],
  },
  {
    title: 'no space follows the dash of a list',
    change: [['      - billing_ro\n      - billing_rw\n', '      -billing_ro\n      -billing_rw\n']],
  },
  { title: 'text begins with @', change: [['audience: jeton', 'audience: @jeton']] },
  { title: 'text begins with `', change: [['audience: jeton', 'audience: `jeton`']] },
  { title: 'text begins with %', change: [['audience: jeton', 'audience: %jeton']] },
  {
    title: 'text begins with *',
    change: [['subject: "system:serviceaccount:billing:*"', 'subject: *:billing:*']],
  },
  { title: 'text is *', change: [['subject: "system:serviceaccount:billing:*"', 'subject: **']] },
  { title: 'text begins with !', change: [['audience: jeton', 'audience: !jeton']] },
  { title: 'text begins with &', change: [['audience: jeton', 'audience: &jeton']] },
  { title: 'text begins with {{', change: [['audience: jeton', 'audience: {{ audience }}']] },
  {
    title: 'a merge key',
    change: [
      ['  billing:\n    engine: mysql', '  billing:\n    <<: *orders\n    engine: mysql'],
      ['  orders:\n', '  orders: &orders\n'],
    ],
  },
  {
    title: 'an alias stands within its own anchor',
    change: [
      ['      claims:\n', '      claims: &claims\n'],
      ['repository_id: 123456', 'repository_id: *claims'],
    ],
  },
  {
    title: 'a value that two aliases use is wrong',
    change: [
      ['users: [app_ro, app_rw, migrator]', 'users: &users [app_ro, "app_*"]'],
      ['users: [migrator]', 'users: *users'],
      ['users: [app_ro]', 'users: *users'],
    ],
  },
  { title: 'a second document', change: [['store:\n', '---\nstore:\n']] },
  {
    title: 'a merge conflict is left',
    change: [['  port: 8080\n', '<<<<<<< HEAD\n  port: 8080\n=======\n  port: 8443\n>>>>>>> main\n']],
  },
  { title: 'a NUL byte', change: [['engine: postgres', 'engine: post\0gres']] },
  { title: 'the file is UTF-16', text: SOUND.split('\n').slice(0, 3).join('\n'), encode: utf16 },
  {
    title: 'the file is Latin-1',
    change: [['audience: jeton\n  cluster', 'audience: jeton # für alle\n  cluster']],
    encode: text => Buffer.from(text, 'latin1'),
  },
  { title: 'the file is empty', text: '' },
  { title: 'the file has only comments', text: '# to be written\n' },
  { title: 'the file is a list', text: '- databases: {}\n- grants: []\n' },
  { title: 'the file is text', text: 'databases\n' },
  {
    title: 'a byte order mark and CRLF are no mistake',
    encode: text => Buffer.from(`\ufeff${text.replaceAll('\n', '\r\n')}`),
  },
  {
    title: 'a mistake in a file with a byte order mark and CRLF',
    change: [['  host: 127.0.0.1', '  hots: 127.0.0.1']],
    encode: text => Buffer.from(`\ufeff${text.replaceAll('\n', '\r\n')}`),
  },
  { title: 'a comma is missing in JSON', text: JSON_TEXT.replace('{},', '{}') },
  { title: 'a quote is not closed in JSON', text: JSON_TEXT.replace('"grants":', '"grants:') },
  { title: 'a brace is not closed in JSON', text: JSON_TEXT.replace(/}\n$/, '\n') },
  { title: 'a mistake in JSON', text: JSON_TEXT.replace('databases', 'database') },
]
