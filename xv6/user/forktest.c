// Forks until it fails, and checks that every child can be waited for.
// Linked without printf, so that the process table runs out before memory.

#include "kernel/types.h"
#include "user/user.h"

#define ENOUGH 1000

static void
say(const char *s)
{
  write(1, s, strlen(s));
}

static void
fail(const char *s)
{
  say(s);
  exit(1);
}

int
main(void)
{
  int n;

  say("fork test\n");
  for(n = 0; n < ENOUGH; n++){
    int pid = fork();
    if(pid < 0)
      break;
    if(pid == 0)
      exit(0);
  }
  if(n == ENOUGH)
    fail("fork claimed to work without end\n");
  while(n-- > 0)
    if(wait(0) < 0)
      fail("wait stopped early\n");
  if(wait(0) != -1)
    fail("wait got too many\n");
  say("fork test OK\n");
  exit(0);
}
