// Leaves a child that ends before its parent asks for it: a zombie, until the
// parent ends too and init waits for it.

#include "kernel/types.h"
#include "user/user.h"

int
main(void)
{
  if(fork() > 0)
    sleep(5);
  exit(0);
}
