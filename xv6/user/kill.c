// kill pid ...

#include "kernel/types.h"
#include "user/user.h"

int
main(int argc, char **argv)
{
  int failed = 0;

  if(argc < 2){
    fprintf(2, "usage: kill pid...\n");
    exit(1);
  }
  for(int i = 1; i < argc; i++)
    if(kill(atoi(argv[i])) < 0){
      fprintf(2, "kill: there is no process %s\n", argv[i]);
      failed = 1;
    }
  exit(failed);
}
