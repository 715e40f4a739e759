// echo [word ...]: prints its arguments with a space between them.

#include "kernel/types.h"
#include "user/user.h"

int
main(int argc, char **argv)
{
  for(char **word = argv + 1; *word; word++)
    printf(word[1] ? "%s " : "%s", *word);
  printf("\n");
  exit(0);
}
