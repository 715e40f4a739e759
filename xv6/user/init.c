// Process 1: opens the console as files 0, 1 and 2, and keeps a shell running
// on it. It is also the parent of every process whose own parent has gone.

#include "kernel/types.h"
#include "kernel/fcntl.h"
#include "user/user.h"

#define CONSOLE_MAJOR 1

static void
open_console(void)
{
  if(open("console", O_RDWR) < 0){
    mknod("console", CONSOLE_MAJOR, 0);
    open("console", O_RDWR);
  }
  dup(0);  // standard output
  dup(0);  // standard error
}

static int
start_shell(void)
{
  char *argv[] = { "sh", 0 };
  int pid = fork();

  if(pid == 0){
    exec("sh", argv);
    printf("init: exec sh failed\n");
    exit(1);
  }
  return pid;
}

int
main(void)
{
  open_console();
  for(;;){
    printf("init: starting sh\n");
    int shell = start_shell();
    if(shell < 0){
      printf("init: fork failed\n");
      exit(1);
    }
    // Others than the shell are orphans that have ended: waiting for them
    // is all that they need.
    int pid;
    while((pid = wait(0)) >= 0 && pid != shell)
      ;
    if(pid < 0){
      printf("init: wait returned an error\n");
      exit(1);
    }
  }
}
