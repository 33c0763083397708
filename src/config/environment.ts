import { resolve } from 'node:path'

export type Environment = { readonly [name: string]: string | undefined }

/** Where the configuration is: `--config`, else `JETON_CONFIG`, else `./jeton.yaml`; as an absolute path. */
export function configPath(option: string | undefined, env: Environment): string {
  return resolve(option || env.JETON_CONFIG || 'jeton.yaml')
}

/** Where the AWS SDK would look for a table or key whose region is not configured, as far as the environment alone tells. */
export function environmentRegion(env: Environment): string | undefined {
  return env.AWS_REGION || undefined
}
