import { importsOf } from './imports.ts'
import type { SourceFile } from './source-files.ts'

/** Files that others load with `import()`, when they need them. One of an entry may import another of the same entry at once. */
export interface LazyModules {
  readonly paths: readonly string[]
  readonly because: string
}

export const LAZY_MODULES: readonly LazyModules[] = [
  {
    paths: [
      'src/aws/dynamodb.ts',
      'src/aws/kms-client.ts',
      'src/aws/s3.ts',
      'src/aws/sts.ts',
      'src/aws/time-to-live.ts',
      'src/audit/dynamodb/recent.ts',
      'src/audit/dynamodb/sink.ts',
      'src/audit/dynamodb/source.ts',
      'src/store/dynamodb.ts',
      'src/store/keyring/aws-kms.ts',
      'src/store/keyring/kms-keyring.ts',
    ],
    because: 'each client of the AWS SDK slows a cold start, and most configurations need few of them',
  },
  {
    paths: ['src/aws/proxied-handler.ts', 'src/client/tunnel.ts', 'src/lib/proxied-fetch.ts'],
    because: 'most starts go through no proxy',
  },
  {
    paths: ['src/client/server-ca.ts', 'src/client/tls-probe.ts'],
    because: 'a caller’s command starts fast: few have a private CA, and few are misdirected',
  },
  {
    paths: [
      'src/config/excerpt/excerpt.ts',
      'src/config/yaml/parse-yaml.ts',
      'src/config/places.ts',
      'src/config/excerpt/secret-nodes.ts',
      'src/config/yaml/yaml-document.ts',
      'src/config/yaml/yaml-faults.ts',
      'src/config/yaml/yaml-syntax.ts',
    ],
    because: 'a cold start with a configuration in plain JSON needs no YAML parser',
  },
  {
    paths: ['src/config/validator.ts'],
    because: 'it explains problems; fast-validator.ts finds out whether there are any',
  },
  {
    paths: [
      'src/http/openapi/document.ts',
      'src/http/openapi/examples.ts',
      'src/http/openapi/headers.ts',
      'src/http/openapi/problem-examples.ts',
      'src/http/openapi/problems.ts',
      'src/http/openapi/replies.ts',
    ],
    because: 'what only /openapi.json says must not slow a cold start',
  },
  {
    paths: ['src/cli/exec-proxy.ts'],
    because: '`jeton exec` starts fast, and most of its commands need no proxy',
  },
  {
    paths: ['handlers/console.ts', 'src/console/console.ts'],
    because: 'most servers have no console',
  },
  {
    paths: ['src/client/identity/aws-signature.ts'],
    because: 'of all callers, only those with an AWS role sign a request',
  },
  {
    paths: ['src/telemetry/open-telemetry.ts'],
    because: 'spans are for those who have loaded OpenTelemetry',
  },
  {
    paths: ['src/cli/audit-csv.ts'],
    because: 'most searches print no CSV, and so need no library for it',
  },
  {
    paths: ['src/telemetry/prometheus.ts', 'src/telemetry/gauges.ts'],
    because: 'without a registry, as on Lambda, prom-client must not load',
  },
  {
    paths: [
      'handlers/client.ts',
      'handlers/dev-server.ts',
      'handlers/server.ts',
      'handlers/whole-program.ts',
      'src/dev/demo/demo.ts',
      'src/dev/interruption.ts',
      'src/cli/agent.ts',
      'src/cli/apikey.ts',
      'src/cli/audit-query.ts',
      'src/cli/audit-verify.ts',
      'src/cli/check-against.ts',
      'src/cli/check.ts',
      'src/cli/completion/command.ts',
      'src/cli/decode.ts',
      'src/cli/doctor/command.ts',
      'src/cli/exec.ts',
      'src/cli/explain.ts',
      'src/cli/forward/command.ts',
      'src/cli/iam.ts',
      'src/cli/lint-policy.ts',
      'src/cli/live/command.ts',
      'src/cli/proxy.ts',
      'src/cli/sql.ts',
      'src/cli/token.ts',
      'src/cli/whoami.ts',
    ],
    because: "a command loads only what it needs: a caller's `jeton exec` starts without the server",
  },
]

/** Lazy modules that a file which is not one imports at once, and those that nothing imports lazily. */
export function lazyModuleProblems(files: readonly SourceFile[], modules: readonly LazyModules[]): string[] {
  const lazyPaths = modules.flatMap(({ paths }) => paths)
  const imports = files.flatMap(file => importsOf(file).map(one => ({ ...one, from: file.path })))
  return modules.flatMap(({ paths, because }) => [
    ...imports
      .filter(({ from, path, isLazy, isTypeOnly }) => {
        const isHarmless = isLazy || isTypeOnly || paths.includes(from)
        return !isHarmless && path !== undefined && paths.includes(path)
      })
      .map(({ from, path }) => `${from} imports ${path} at once: use import(), because ${because}`),
    ...paths
      .filter(target => !imports.some(({ path, from, isLazy }) => path === target && isLoader(from, isLazy)))
      .map(path => `${path} is not imported lazily: take it out of LAZY_MODULES`),
  ])

  function isLoader(from: string, isLazy: boolean): boolean {
    return isLazy || lazyPaths.includes(from)
  }
}
