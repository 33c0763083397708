import { Signer } from '@aws-sdk/rds-signer'

/** A job with AWS's SDK: its default credentials are those of the role and the JWT that the environment names. */
async function main(): Promise<void> {
  const { DB_HOST: hostname = '', DB_PORT: port, DB_USER: username = '' } = process.env
  const signer = new Signer({ hostname, port: Number(port), username })
  process.stdout.write(`${await signer.getAuthToken()}\n`)
}

void main()
