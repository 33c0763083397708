import { resolve } from 'node:path'
import type { Environment } from '../lib/process-input.ts'
import { partitionOfRegion } from '../rds/partitions.ts'
import type { Problem } from './problems.ts'
import { isS3Url } from './source/s3-url.ts'

/** Returns the place of the configuration, `--config`, else `JETON_CONFIG`, else `./jeton.yaml`: a path or `s3://` URL. */
export function configPath(option: string | undefined, env: Environment): string {
  const path = option || env.JETON_CONFIG || 'jeton.yaml'
  return isS3Url(path) ? path : resolve(path)
}

/**
 * Returns the place of a Lambda function's configuration, and the name of this execution environment in audit records.
 * `folder` is the folder of the function's code.
 * https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime
 */
export function lambdaFacts(env: Environment, folder: string): { configPath: string; instance: string } {
  const { AWS_LAMBDA_FUNCTION_NAME: name = 'lambda', AWS_LAMBDA_LOG_STREAM_NAME: logStream } = env
  const path = env.JETON_CONFIG || 'jeton.yaml'
  return {
    configPath: isS3Url(path) ? path : resolve(env.LAMBDA_TASK_ROOT || folder, path),
    // each execution environment writes to a log stream of its own
    instance: logStream ? `${name}/${logStream}` : name,
  }
}

/** Returns the region of tables and keys that are configured without one, as far as environment variables say. */
export function environmentRegion(env: Environment): string | undefined {
  return env.AWS_REGION || undefined
}

/** Returns the problem if `AWS_REGION` is not the name of a region: the AWS SDK could call nothing. */
export function findRegionProblems(env: Environment): Problem[] {
  const region = environmentRegion(env)
  if (region === undefined || partitionOfRegion(region) !== undefined) return []
  const message = 'is not the name of a region: write one such as us-east-1, without quotes or spaces'
  return [{ path: 'AWS_REGION', message }]
}
