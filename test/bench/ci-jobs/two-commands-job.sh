# A job with AWS's CLI, as GitLab's documentation has it: one command for the role session, another for the token.
set -eu
export $(printf 'AWS_ACCESS_KEY_ID=%s AWS_SECRET_ACCESS_KEY=%s AWS_SESSION_TOKEN=%s' \
  $(aws sts assume-role-with-web-identity --endpoint-url "$STS_URL" --role-arn "$ROLE_ARN" \
    --role-session-name "$SESSION_NAME" --web-identity-token "$(cat "$JWT_FILE")" \
    --query 'Credentials.[AccessKeyId,SecretAccessKey,SessionToken]' --output text))
aws rds generate-db-auth-token --hostname "$DB_HOST" --port "$DB_PORT" --username "$DB_USER"
