/*
 * MariaDB's side of RDS's AWSAuthenticationPlugin, for tests: asks the client for its password in clear, passes user and
 * token to the process that started the server, over the Unix socket that JETON_RDS_VERIFIER names, and accepts or refuses
 * as that process answers. A question is the user and the token, each as a four-byte length in network order and its bytes;
 * the answer is '1' or '0'.
 *
 * The plugin interface is declared by hand, so that no -dev package is needed:
 * https://github.com/MariaDB/server/blob/10.11/include/mysql/plugin_auth.h and plugin.h
 */
#include <arpa/inet.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { CR_OK = -1, CR_ERROR = 0, AUTHENTICATION_PLUGIN = 7, LICENSE_BSD = 2, MATURITY_STABLE = 4 };

struct vio {
  int (*read_packet)(struct vio *, unsigned char **);
  int (*write_packet)(struct vio *, const unsigned char *, int);
  void (*info)(struct vio *, void *);
};

/* Further fields are not used. */
struct auth_info {
  const char *user_name;
  unsigned int user_name_length;
};

struct auth {
  int interface_version;
  const char *client_auth_plugin;
  int (*authenticate_user)(struct vio *, struct auth_info *);
  int (*hash_password)(const char *, size_t, char *, size_t *);
  int (*preprocess_hash)(const char *, size_t, unsigned char *, size_t *);
};

struct plugin {
  int type;
  void *info;
  const char *name, *author, *description;
  int license;
  int (*init)(void *);
  int (*deinit)(void *);
  unsigned int version;
  void *status_variables, *system_variables;
  const char *version_text;
  unsigned int maturity;
};

static int send_all(int fd, const void *bytes, size_t length) {
  const char *at = bytes;
  while (length > 0) {
    ssize_t sent = send(fd, at, length, MSG_NOSIGNAL);
    if (sent <= 0) return 0;
    at += sent;
    length -= (size_t)sent;
  }
  return 1;
}

static int send_field(int fd, const void *bytes, size_t length) {
  uint32_t header = htonl((uint32_t)length);
  return send_all(fd, &header, sizeof header) && send_all(fd, bytes, length);
}

static int authenticate(struct vio *vio, struct auth_info *info) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  const char *path = getenv("JETON_RDS_VERIFIER");
  unsigned char *token;
  char answer = '0';
  int fd, length = vio->read_packet(vio, &token);

  if (length < 1 || !path || strlen(path) >= sizeof address.sun_path) return CR_ERROR;
  if (token[length - 1] == 0) length--;
  strcpy(address.sun_path, path);
  fd = socket(AF_UNIX, SOCK_STREAM, 0);
  if (fd < 0) return CR_ERROR;
  if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0 ||
      !send_field(fd, info->user_name, info->user_name_length) || !send_field(fd, token, (size_t)length) ||
      read(fd, &answer, 1) != 1)
    answer = '0';
  close(fd);
  return answer == '1' ? CR_OK : CR_ERROR;
}

/* Keeps the text after AS in CREATE USER unchanged. */
static int keep(const char *text, size_t length, char *kept, size_t *kept_length) {
  if (length > *kept_length) return 1;
  memcpy(kept, text, length);
  *kept_length = length;
  return 0;
}

static struct auth descriptor = {0x0202, "mysql_clear_password", authenticate, keep, NULL};

int _maria_plugin_interface_version_ = 0x010d;
int _maria_sizeof_struct_st_plugin_ = sizeof(struct plugin);
struct plugin _maria_plugin_declarations_[] = {
    {AUTHENTICATION_PLUGIN, &descriptor, "AWSAuthenticationPlugin", "jeton", "RDS IAM tokens, for tests", LICENSE_BSD,
     NULL, NULL, 0x0100, NULL, NULL, "1.0", MATURITY_STABLE},
    {0}};
