import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;

/** Logs in by a URL; prepares a statement at the server; and cancels a query once another connection sees it. */
public final class ProxyClient {
    static String ask(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement(); ResultSet row = statement.executeQuery(sql)) {
            row.next();
            return row.getString(1);
        }
    }

    public static void main(String[] arguments) throws Exception {
        try (Connection connection = DriverManager.getConnection(arguments[0]);
                Connection other = DriverManager.getConnection(arguments[0])) {
            System.out.println(ask(connection, "select current_user"));

            int sum = 0;
            try (PreparedStatement prepared = connection.prepareStatement("select ?::int + 1")) {
                for (int i = 0; i < 10; i++) {
                    prepared.setInt(1, i);
                    try (ResultSet row = prepared.executeQuery()) {
                        row.next();
                        sum += row.getInt(1);
                    }
                }
            }
            System.out.println(sum + " by " + ask(connection, "select count(*) from pg_prepared_statements") + " statement");

            String pid = ask(connection, "select pg_backend_pid()");
            try (Statement sleeping = connection.createStatement()) {
                new Thread(() -> {
                    try {
                        String active = "select count(*) from pg_stat_activity where wait_event = 'PgSleep' and pid = " + pid;
                        while (!ask(other, active).equals("1")) Thread.sleep(10);
                        sleeping.cancel();
                    } catch (Exception cause) {
                        cause.printStackTrace();
                    }
                }).start();
                sleeping.execute("select pg_sleep(60)");
            } catch (SQLException cause) {
                System.out.println(cause.getSQLState());
            }
            System.out.println(ask(connection, "select 'goes on'"));
        }
    }
}
