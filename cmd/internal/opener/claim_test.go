package opener

import (
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
)

func TestOneGatewayClaimsANetworkNamespace(t *testing.T) {
	name := fmt.Sprintf("@ftpalg-test-%d", os.Getpid())
	release, err := claim(name)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := claim(name); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("process %d", os.Getpid())) {
		t.Errorf("a second claim: %v", err)
	}
	release.Close()
	again, err := claim(name)
	if err != nil {
		t.Fatalf("after the first has ended: %v", err)
	}
	again.Close()
}

func TestOnlyAPossibleGatewayKeepsAnotherOut(t *testing.T) {
	for uid, want := range map[uint32]bool{0: true, uint32(os.Geteuid()): true, 54321: false} {
		if got := rightful(&syscall.Ucred{Uid: uid}); got != want {
			t.Errorf("user %d: %v", uid, got)
		}
	}
}
