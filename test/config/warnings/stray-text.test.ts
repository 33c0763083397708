import { expect, test } from 'vitest'
import { findStrayText } from '../../../src/config/warnings/stray-text.ts'

const doubtOf = (text: string) =>
  findStrayText({ here: [text] }).map(({ path, message }) => `${path}: ${message}`)

test.each([
  ['$' + '{TENANT}', '$' + '{TENANT}'],
  ['https://$' + '{HOST:-hunter2}/x', '$' + '{HOST…}'],
  ['$' + '{{ secrets.ID || "hunter2" }}', '$' + '{{ secrets.ID…}}'],
  ['{{ .Values.id | default "hunter2" }}', '{{ .Values.id…}}'],
  ['{{ "hunter2" | quote }}', '{{ …}}'],
  ['$' + '{{ vars.TENANT }}', '$' + '{{ vars.TENANT }}'],
  ['$(tenant)', '$(tenant)'],
  ['https://$HOST/x', '$HOST'],
  ['{{ .Values.issuer }}', '{{ .Values.issuer }}'],
  ['%TENANT%', '%TENANT%'],
])('findStrayText says of %s that nothing expands it', (text, variable) => {
  expect(doubtOf(text)).toEqual([
    `here[0]: contains ${variable}, and jeton expands no variables: write the value, or expand it before jeton reads the file`,
  ])
})

test.each([
  ['https://login.microsoftonline.com/<tenant-id>/v2.0', '<tenant-id>'],
  ['repo:your-org/app:**', 'your-org'],
  ['https://oidc.circleci.com/org/ORG_ID', 'ORG_ID'],
  ['CHANGEME', 'CHANGEME'],
])('findStrayText says of %s that it looks like a placeholder', (text, placeholder) => {
  expect(doubtOf(text)).toEqual([
    `here[0]: contains ${placeholder}, which looks like a placeholder: write your own value`,
  ])
})

test.each([
  ['jeton\u200B', 'contains U+200B, which cannot be seen and counts'],
  ['refs/heads/\u00A0main', 'contains U+00A0'],
  ['“main”', 'contains “, a quotation mark of a word processor'],
  [' jeton', 'begins or ends with white space'],
  ['jeton\n', 'begins or ends with white space'],
])('findStrayText says of %j what cannot be seen', (text, doubt) => {
  expect(doubtOf(text)).toEqual([expect.stringContaining(`here[0]: ${doubt}`)])
})

test.each([
  ...['jeton', 'acme/todo', 'todo-app', 'refs/heads/main', 'refs/tags/v*', 'https://sts.windows.net/0a1b/'],
  ...[
    '{0a1b2c3d-1111-2222-3333-444455556666}',
    'arn:aws:iam::123456789012:role/a+b=c',
    'price in US$',
    '100%',
    '',
  ],
  ...['system:serviceaccount:a:b', 'a@b.example', 'my-organization/my-repository', 'a b', 'α < β > γ'],
])('findStrayText says nothing of %j', text => {
  expect(doubtOf(text)).toEqual([])
})

test('findStrayText looks at each value once, however often an alias repeats it, and not at $schema', () => {
  let value: unknown = ['$' + '{A}']
  for (let i = 0; i < 40; i++) value = { one: value, other: value }
  expect(findStrayText(value).length).toBeLessThan(2)
  const shared = { name: '$' + '{A}' }
  expect(findStrayText({ a: shared, b: shared })).toHaveLength(1)
  expect(findStrayText({ $schema: '$' + '{A}' })).toEqual([])
  expect(findStrayText({ a: 7, b: true, c: null })).toEqual([])
})
