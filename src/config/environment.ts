import { resolve } from 'node:path'
import { isS3Url } from './source/s3.ts'

export type Environment = { readonly [name: string]: string | undefined }

/** Where the configuration is: `--config`, else `JETON_CONFIG`, else `./jeton.yaml`; as an absolute path, or as `s3://…`. */
export function configPath(option: string | undefined, env: Environment): string {
  const path = option || env.JETON_CONFIG || 'jeton.yaml'
  return isS3Url(path) ? path : resolve(path)
}

/**
 * What a function on Lambda knows of itself. `folder` is the one that its code lies in.
 * https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime
 */
export function lambdaFacts(env: Environment, folder: string): { configPath: string; instance: string } {
  const { AWS_LAMBDA_FUNCTION_NAME: name = 'lambda', AWS_LAMBDA_LOG_STREAM_NAME: stream } = env
  const path = env.JETON_CONFIG || 'jeton.yaml'
  return {
    configPath: isS3Url(path) ? path : resolve(env.LAMBDA_TASK_ROOT || folder, path),
    // each sandbox writes a stream of its own
    instance: stream ? `${name}/${stream}` : name,
  }
}

/** Where the AWS SDK would look for a table or key whose region is not configured, as far as the environment alone tells. */
export function environmentRegion(env: Environment): string | undefined {
  return env.AWS_REGION || undefined
}
