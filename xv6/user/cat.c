// cat [file ...]: copies files, or its input, to its output.

#include "kernel/types.h"
#include "kernel/fcntl.h"
#include "user/user.h"

static char buf[1024];

static void
fail(char *what, char *name)
{
  fprintf(2, "cat: %s %s\n", what, name);
  exit(1);
}

static void
copy(int fd, char *name)
{
  for(;;){
    int got = read(fd, buf, sizeof(buf));
    if(got == 0)
      return;
    if(got < 0)
      fail("cannot read", name);
    if(write(1, buf, got) != got)
      fail("cannot write", "standard output");
  }
}

int
main(int argc, char **argv)
{
  if(argc < 2)
    copy(0, "standard input");
  for(int i = 1; i < argc; i++){
    int fd = open(argv[i], O_RDONLY);
    if(fd < 0)
      fail("cannot open", argv[i]);
    copy(fd, argv[i]);
    close(fd);
  }
  exit(0);
}
