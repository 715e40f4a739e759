// Several processes that write and read files of their own at the same time:
// more work than the log, the buffer cache and the disk queue have room for.

#include "kernel/types.h"
#include "kernel/fcntl.h"
#include "user/user.h"

#define WRITERS 5
#define BLOCKS 20

static char buf[512];

static int
work(int me)
{
  char name[] = "stressfs0";

  name[8] += me;
  memset(buf, 'a' + me, sizeof(buf));
  int fd = open(name, O_CREATE | O_RDWR);
  if(fd < 0)
    return 1;
  for(int i = 0; i < BLOCKS; i++)
    if(write(fd, buf, sizeof(buf)) != sizeof(buf))
      return 1;
  close(fd);
  fd = open(name, O_RDONLY);
  for(int i = 0; i < BLOCKS; i++){
    if(read(fd, buf, sizeof(buf)) != sizeof(buf))
      return 1;
    for(uint k = 0; k < sizeof(buf); k++)
      if(buf[k] != 'a' + me)
        return 1;
  }
  close(fd);
  return unlink(name) < 0;
}

int
main(void)
{
  int bad = 0, status;

  printf("stressfs starting\n");
  for(int i = 0; i < WRITERS; i++)
    if(fork() == 0)
      exit(work(i));
  while(wait(&status) >= 0)
    bad |= status;
  printf("stressfs %s\n", bad ? "FAILED" : "OK");
  exit(bad);
}
