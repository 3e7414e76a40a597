package page

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

var usual = view{sessions: order{"session", true}, pinholes: order{"expires", false}}

func join(t *testing.T, f *feed, v view) *viewer {
	t.Helper()
	one, err := f.join(v)
	if err != nil {
		t.Fatal(err)
	}
	return one
}

func TestOneSnapshotASecondForAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := newLively(10)
		f := newFeed(src)
		defer f.close()
		a, b := join(t, f, usual), join(t, f, usual)
		<-a.frames
		<-b.frames // for which it may have come a little late
		for range 4 {
			one, other := <-a.frames, <-b.frames
			if &one[0] != &other[0] {
				t.Error("two of the same view have an encoding each")
			}
		}
		if n := src.times(); n != 5 {
			t.Errorf("%d snapshots for 5 frames", n)
		}
	})
}

func TestNothingRunsWhileNobodyLooks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := newLively(0)
		f := newFeed(src)
		time.Sleep(time.Hour)
		one := join(t, f, usual)
		<-one.frames
		f.leave(one)
		time.Sleep(2 * Every)
		f.loop.Wait() // it has ended by itself
		if n := src.times(); n != 1 {
			t.Errorf("%d snapshots, want 1", n)
		}
		<-join(t, f, usual).frames // and begins again
		f.close()
	})
}

func TestComingAgainMakesNoMoreSnapshots(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := newLively(0)
		f := newFeed(src)
		defer f.close()
		begin := time.Now()
		for i := range 100 { // somebody types
			v := usual
			v.query = strings.Repeat("x", i)
			one := join(t, f, v)
			<-one.frames
			f.leave(one)
			time.Sleep(50 * time.Millisecond)
		}
		if n, most := src.times(), int(time.Since(begin)/Every)+1; n > most {
			t.Errorf("%d snapshots in %v", n, time.Since(begin))
		}
	})
}

func TestNewcomerNeedNotWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFeed(newLively(0))
		defer f.close()
		<-join(t, f, usual).frames
		time.Sleep(Every / 10)
		begin := time.Now()
		<-join(t, f, usual).frames
		if waited := time.Since(begin); waited != 0 {
			t.Errorf("the first frame came after %v", waited)
		}
	})
}

func TestSlowViewerMissesWhatIsOldAndHoldsUpNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFeed(newLively(0))
		defer f.close()
		slow, quick := join(t, f, usual), join(t, f, usual)
		var last []byte
		for range 10 {
			last = <-quick.frames
		}
		synctest.Wait()
		if got := <-slow.frames; &got[0] != &last[0] {
			t.Error("the slow viewer has an old frame")
		}
	})
}

func TestViewersAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFeed(newLively(0))
		var first *viewer
		for range mostViewers {
			first = join(t, f, usual)
		}
		if _, err := f.join(usual); !errors.Is(err, errFull) {
			t.Errorf("one more: %v", err)
		}
		f.leave(first)
		join(t, f, usual)
		f.close()
		if _, err := f.join(usual); !errors.Is(err, errClosed) {
			t.Errorf("after the end: %v", err)
		}
	})
}
