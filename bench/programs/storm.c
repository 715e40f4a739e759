// System-call storms of the benchmark: `storm fork|exec|pipe|dirty|sleep N`.

#include "kernel/types.h"
#include "user/user.h"

static void
check(int result, const char *what)
{
  if(result < 0){
    printf("storm: %s failed\n", what);
    exit(1);
  }
}

// N children, one after another, each of which execs this program if asked to.
static void
children(int n, int exec_)
{
  char *argv[] = { "storm", "nothing", "0", 0 };

  while(n-- > 0){
    int pid = fork();
    check(pid, "fork");
    if(pid == 0){
      if(exec_)
        check(exec("storm", argv), "exec");
      exit(0);
    }
    check(wait(0), "wait");
  }
}

// N blocks through a pipe to a child, in pieces that do not divide its buffer.
static void
pipes(int n)
{
  static char block[700];
  int fds[2];

  check(pipe(fds), "pipe");
  int pid = fork();
  check(pid, "fork");
  if(pid == 0){
    close(fds[1]);
    while(read(fds[0], block, 300) > 0)
      ;
    exit(0);
  }
  close(fds[0]);
  while(n-- > 0)
    check(write(fds[1], block, sizeof block), "write");
  close(fds[1]);
  check(wait(0), "wait");
}

// N pages, each written once.
static void
dirty(int n)
{
  char *at = sbrk(n * 4096);

  for(int i = 0; i < n; i++)
    at[i * 4096] = i;
}

// N processes that nobody waits for, asleep for ever.
static void
sleepers(int n)
{
  while(n-- > 0){
    int pid = fork();
    check(pid, "fork");
    if(pid == 0)
      for(;;)
        sleep(1000000);
  }
}

int
main(int argc, char **argv)
{
  if(argc != 3){
    printf("usage: storm fork|exec|pipe|dirty|sleep N\n");
    exit(1);
  }
  int n = atoi(argv[2]);
  if(strcmp(argv[1], "fork") == 0)
    children(n, 0);
  else if(strcmp(argv[1], "exec") == 0)
    children(n, 1);
  else if(strcmp(argv[1], "pipe") == 0)
    pipes(n);
  else if(strcmp(argv[1], "dirty") == 0)
    dirty(n);
  else if(strcmp(argv[1], "sleep") == 0)
    sleepers(n);
  else
    exit(0);
  printf("%s OK\n", argv[1]);
  exit(0);
}
