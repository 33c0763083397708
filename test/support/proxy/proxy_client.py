"""Logs in with psycopg 3; prepares a statement at the server; cancels a query once another connection sees it; copies."""

import threading
import time

import psycopg

with psycopg.connect(autocommit=True) as connection, psycopg.connect(autocommit=True) as other:
    print(*connection.execute("select current_user").fetchone())

    rows = [connection.execute("select %s::int + 1", [i], prepare=True).fetchone()[0] for i in range(10)]
    prepared = connection.execute("select count(*) from pg_prepared_statements").fetchone()[0]
    print(sum(rows), "by", prepared, "statement")

    def cancel():
        sql = "select count(*) from pg_stat_activity where wait_event = 'PgSleep' and pid = %s"
        while other.execute(sql, [connection.info.backend_pid]).fetchone()[0] == 0:
            time.sleep(0.01)
        connection.cancel()

    canceller = threading.Thread(target=cancel)
    canceller.start()
    try:
        connection.execute("select pg_sleep(60)")
    except psycopg.errors.QueryCanceled as cause:
        print(cause.sqlstate)
    canceller.join()

    with connection.cursor() as cursor:
        cursor.execute("create temporary table copied (number int, text text)")
        with cursor.copy("copy copied from stdin") as copy:
            for number in range(10_000):
                copy.write_row((number, "x" * 100))
        with cursor.copy("copy copied to stdout") as copy:
            print(sum(1 for _ in copy.rows()))

    with connection.pipeline():
        cursors = [connection.execute("select %s::int", [i]) for i in range(100)]
    print(sum(cursor.fetchone()[0] for cursor in cursors))
