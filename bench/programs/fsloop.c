// File-system loops of the benchmark: `fsloop small|big N`.

#include "kernel/types.h"
#include "kernel/fcntl.h"
#include "user/user.h"

static char block[1024];

static void
check(int ok, const char *what)
{
  if(!ok){
    printf("fsloop: %s failed\n", what);
    exit(1);
  }
}

// Makes and removes a file of one block.
static void
small(void)
{
  int fd = open("f", O_CREATE|O_RDWR);
  check(fd >= 0, "create");
  check(write(fd, block, sizeof block) == sizeof block, "write");
  close(fd);
  check(unlink("f") == 0, "unlink");
}

// Writes, reads and removes a file of 100 blocks.
static void
big(void)
{
  int fd = open("f", O_CREATE|O_RDWR);
  check(fd >= 0, "create");
  for(int i = 0; i < 100; i++){
    block[0] = i;
    check(write(fd, block, sizeof block) == sizeof block, "write");
  }
  close(fd);
  fd = open("f", O_RDONLY);
  for(int i = 0; i < 100; i++){
    check(read(fd, block, sizeof block) == sizeof block, "read");
    check(block[0] == (char)i, "compare");
  }
  close(fd);
  check(unlink("f") == 0, "unlink");
}

int
main(int argc, char **argv)
{
  if(argc != 3){
    printf("usage: fsloop small|big N\n");
    exit(1);
  }
  for(int n = atoi(argv[2]); n > 0; n--)
    if(strcmp(argv[1], "big") == 0)
      big();
    else
      small();
  printf("%s OK\n", argv[1]);
  exit(0);
}
