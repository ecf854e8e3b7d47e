import sys; sys.path.insert(0,"/tmp/rv"); from h import *; import threading,time
t0=time.time(); out=[]
def go():
    b=B(18433)
    try: r=b.req("GET","/admin/login/cognito/"); out.append((round(time.time()-t0,1),r.status))
    except Exception as e: out.append((round(time.time()-t0,1),str(e)[:30]))
T=[threading.Thread(target=go) for _ in range(6)]
[t.start() for t in T]; [t.join() for t in T]; print(sorted(out))
